import ABISchema
