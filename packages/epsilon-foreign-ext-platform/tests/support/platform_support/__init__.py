"""What several test files of this package share."""
