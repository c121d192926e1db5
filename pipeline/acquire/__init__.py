"""From nothing to a survey: fetches what a run needs, the one part that opens connections."""
