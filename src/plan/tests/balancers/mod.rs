//! What plans say of balancers: the lists that are written for them, and both versions behind them at once.

mod blue_green;
mod lists;
