"""How releases come from their publishers: what is asked of whom, how patiently, what is let in, and when."""
