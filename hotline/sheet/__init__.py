"""The roster as a sheet that offices know: drawn for Excel, read back as dated changes, and as CSV and calendars."""
