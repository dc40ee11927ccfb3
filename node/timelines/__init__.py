"""What pages and apps read: timelines, threads, notifications, and posts with what their viewer may see of them."""
