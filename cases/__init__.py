"""What agents write of a call: call records (来电登记)."""
