"""The local explorer: pictures of a finished run's catalogue in a browser."""
