"""Grade many submissions: workers, what is kept on disk, and what a class came to."""
