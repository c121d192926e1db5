"""Two stars against one: which fits a spectrum better, by a model of single stars alone."""
