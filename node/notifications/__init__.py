"""Notifications of local accounts: writing them; `timelines.notification_list` reads them."""
