"""What the lessons' cells import: pictures of graphs, readers of the platforms' records, and their environments."""
