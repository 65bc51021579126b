"""Executors: who does the runs, in this process or in others."""
