"""What gcc says about headers, by ways that share nothing with libclang: the judge of what discovery found."""
