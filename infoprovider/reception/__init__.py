"""What messages say, proved, kept on disk and served."""
