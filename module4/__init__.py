"""The labs: one training pipeline, wired in each platform's own idiom. They import shared/, never the other way."""
