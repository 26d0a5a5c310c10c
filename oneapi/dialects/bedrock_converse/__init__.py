"""Amazon Bedrock's Converse and ConverseStream, as upstreams speak them: requests out, answers and streams in."""
