"""Google Gemini's generateContent: requests, answers, streams and errors."""
