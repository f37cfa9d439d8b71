"""Published figures that scenarios cite as ``published KEY``, beside rows of the calibration.

Takes nothing; gives each figure in words with who published it.
"""

PUBLISHED = {
    "upi_business_decline": "7.2 % of attempts (3.9 to 14.1, median 7.4), weighted by volume over "
    "UPI's "
    "23 largest remitter banks, July 2025 (NPCI)",
    "upi_technical_decline": "0.37 % of attempts (0.02 to 2.44, median 0.19), the same banks and "
    "month",
    "upi_reversals": "0.29 % of attempts, the same banks and month",
    "upi_reversals_automatic": "79.6 % of reversals at once (55 to 99.9 % by bank), the others on "
    "the next "
    "bank day",
    "usd_cny_september_2025": "7.1235 yuan to a dollar, mean of September 2025 (fixings 7.1106 on "
    "the 22nd "
    "and 7.1057 on the 23rd)",
    "usd_cny_december_2025": "7.0432 yuan to a dollar on 27 December 2025",
    "unionpay_merchants": "about 1.8 million merchants when UnionPay's wallets were let in "
    "(December 2023), "
    "which were all KHQR merchants of that month",
    "unionpay_merchant_cost": "0.35 % (debit) and 0.45 % (credit) to the issuer, 0.0325 % to the "
    "network, of "
    "what merchants in China are paid by card",
    "wallet_merchant_cost": "about 0.55 % of what merchants in China are paid by wallet",
    "antom_counter_time_out": "60 s recommended at a counter, first question after 5 s; 14 min is "
    "the default "
    "of orders online (Antom's integration guide)",
    "ecny_verified_limits": "50 000 yuan a payment, 100 000 a day, 500 000 of balance",
    "ecny_laos_quote": "0.99 yuan for 3 000 kip on 27 December 2025",
    "thai_arrivals": "Thais to Cambodia in July, August and September 2025: 0.095, 0.084 and "
    "0.088 of the "
    "year before (July 192 284 to 18 298)",
    "thai_border_outbound": "Cambodians to Thailand: 0.56 from 7 June 2025, 0.19 on 14 June",
    "bakong_list_call": "up to 50 payments asked about by one call of Bakong's open API",
    "ecommerce_2024": "1.51 bn USD of e-commerce in 2024",
    "aba_card_abroad": "2 % of payments abroad by ABA's cards",
}
