"""Load the plugin also where plugin autoload is off; the name is that of its entry point."""

pytest_plugins = ("otelkata.plugin",)
