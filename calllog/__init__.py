"""What happened: events, the journal that keeps them, the rows folded from them, and questions to those rows."""
