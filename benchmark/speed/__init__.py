"""Speed of the engine, measured side by side with a plain loop."""
