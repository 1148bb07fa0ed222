SELECT partition, next_offset FROM weir.notification_source WHERE topic = %s
