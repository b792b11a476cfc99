SELECT spend, visits, left_us
FROM a_customers
JOIN b_visits USING (customer)
