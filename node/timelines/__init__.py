"""Reading: timelines, threads, notifications, and posts as pages and apps show them."""
