"""What is computed: one folder a step, in the order in which data flows."""
