"""The data plane: InvokeEndpoint and its kin, and the model servers behind them."""
