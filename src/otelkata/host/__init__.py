"""All that runs beside a submission; the rest of the framework shares only its `wire` format."""
