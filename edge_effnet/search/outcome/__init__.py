"""What a search came to.

intervals  accuracy and its difference, over images and seeds
result     as data, as JSON, in one sentence
plot       accuracy against cost
report     what people read
"""
