"""How we speak to Asterisk: the Phone port, and that port over ARI and AMI."""
