"""What records hold beside accuracies: one topic a module or folder."""
