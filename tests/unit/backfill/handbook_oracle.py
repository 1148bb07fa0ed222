"""The book's fourteen features in pandas, by its own way of computing them; imports nothing of the project."""

import numpy as np
import pandas as pd

DAYS = (1, 7, 30)
WEEK = pd.Timedelta(days=7)


def handbook_features(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the features of a frame with the handbook's columns, in event order, by TRANSACTION_ID.

    The labels of the week before a transaction are not used, which is what a truth delay of less than a week comes to.
    """
    frame = frame.sort_values(["TX_DATETIME", "TRANSACTION_ID"]).reset_index(drop=True)
    made = pd.DataFrame({"TRANSACTION_ID": frame["TRANSACTION_ID"], "TX_AMOUNT": frame["TX_AMOUNT"]})
    made["TX_DURING_WEEKEND"] = (frame["TX_DATETIME"].dt.weekday >= 5).astype(float)
    made["TX_DURING_NIGHT"] = (frame["TX_DATETIME"].dt.hour <= 6).astype(float)
    for _, of_customer in frame.groupby("CUSTOMER_ID"):
        amounts = of_customer.set_index("TX_DATETIME")["TX_AMOUNT"]
        for days in DAYS:
            window = amounts.rolling(f"{days}D")
            made.loc[of_customer.index, f"CUSTOMER_ID_NB_TX_{days}DAY_WINDOW"] = window.count().to_numpy()
            made.loc[of_customer.index, f"CUSTOMER_ID_AVG_AMOUNT_{days}DAY_WINDOW"] = window.mean().to_numpy()
    for days in DAYS:
        made[f"TERMINAL_ID_NB_TX_{days}DAY_WINDOW"] = 0.0
        made[f"TERMINAL_ID_RISK_{days}DAY_WINDOW"] = 0.0
    for _, of_terminal in frame.dropna(subset="TERMINAL_ID").groupby("TERMINAL_ID"):
        times, frauds = of_terminal["TX_DATETIME"].to_numpy(), of_terminal["TX_FRAUD"].to_numpy()
        for row, time in zip(of_terminal.index, times, strict=True):
            for days in DAYS:
                end = time - WEEK
                inside = frauds[(times > end - np.timedelta64(days, "D")) & (times <= end)]
                made.loc[row, f"TERMINAL_ID_NB_TX_{days}DAY_WINDOW"] = len(inside)
                made.loc[row, f"TERMINAL_ID_RISK_{days}DAY_WINDOW"] = inside.mean() if len(inside) else 0.0
    return made.set_index("TRANSACTION_ID")
