"""What the lessons' cells import: pictures of graphs, and readers for what the platforms leave behind."""
