"""Where it is computed: local processes now, queues and GPUs through the same door."""
