"""What quality keeps: each call's talks and voicemails as one verified file by day, listed and handed out."""
