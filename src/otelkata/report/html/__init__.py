"""Write results as pages: one file each, without network, hostile content as text."""
