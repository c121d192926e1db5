"""What an ideal observer and a template fit reach, to compare the network with."""
