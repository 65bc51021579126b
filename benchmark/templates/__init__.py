"""Parts to start from, one small whole file each: ``nlbench new`` writes them under a name."""
