"""Bring a submission to life in processes of its own, and talk to them."""
