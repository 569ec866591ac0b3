"""Widgets that retrain live: controls post, a worker trains, a picture reports.

Read `look` first (how a widget is built), then `worker` (one training thread), then `playground`.
"""
