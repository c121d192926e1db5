"""The files of a run against its ledger."""
