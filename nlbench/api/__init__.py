"""What ``import nlbench`` offers, a file for each function; ``nlbench/__init__.py`` names them."""
