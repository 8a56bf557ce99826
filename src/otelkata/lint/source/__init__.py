"""Find sources and read them: which files, which bytes, which places."""
