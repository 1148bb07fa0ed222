-- What the truth join needs of the score stage's output.
SELECT k, v FROM scored
