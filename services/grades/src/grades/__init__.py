"""成績: curricula with 観点, marks, 評定, 所見, behaviour, and the closing of terms."""
