"""What every stage stands on: files, ledger, settings of a run, the stage mechanism."""
