"""The leaderboard: its columns, its table, merging several."""
