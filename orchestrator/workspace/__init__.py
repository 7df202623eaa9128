"""The operator's directory: settings, and where data and state live."""
