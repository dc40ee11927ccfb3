"""What belongs to the person who is signed in: profile, notifications, markers, followed hashtags, what waits."""
