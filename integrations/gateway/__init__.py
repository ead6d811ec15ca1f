"""Amazon API Gateway REST integrations in plain Python: definition, rules, formats."""
