"""How good the result is, against truth where there is one."""
