package main

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"encoding/base64"
	"fmt"
	"hash"
	"strconv"
	"strings"
)

// scramClient is the client's side of SCRAM (RFC 5802), which sarama leaves to its users.
type scramClient struct {
	hash                func() hash.Hash
	password, firstBare string
	step                int
}

func (c *scramClient) Begin(user, password, _ string) error {
	c.password = password
	c.firstBare = "n=" + user + ",r=fyko+d2lbbFgONRv9qkxdawL"
	return nil
}

func (c *scramClient) Done() bool { return c.step > 2 }

func (c *scramClient) Step(challenge string) (string, error) {
	c.step++
	switch c.step {
	case 1:
		return "n,," + c.firstBare, nil
	case 2:
		return c.final(challenge)
	}
	if strings.HasPrefix(challenge, "e=") {
		return "", fmt.Errorf("refused: %s", challenge)
	}
	return "", nil
}

func (c *scramClient) final(challenge string) (string, error) {
	fields := map[byte]string{}
	for _, field := range strings.Split(challenge, ",") {
		fields[field[0]] = field[2:]
	}
	salt, err := base64.StdEncoding.DecodeString(fields['s'])
	if err != nil {
		return "", err
	}
	iterations, err := strconv.Atoi(fields['i'])
	if err != nil {
		return "", err
	}
	salted, err := pbkdf2.Key(c.hash, c.password, salt, iterations, c.hash().Size())
	if err != nil {
		return "", err
	}
	clientKey := c.mac(salted, "Client Key")
	stored := c.hash()
	stored.Write(clientKey)
	withoutProof := "c=biws,r=" + fields['r']
	signature := c.mac(stored.Sum(nil), c.firstBare+","+challenge+","+withoutProof)
	for i := range clientKey {
		clientKey[i] ^= signature[i]
	}
	return withoutProof + ",p=" + base64.StdEncoding.EncodeToString(clientKey), nil
}

func (c *scramClient) mac(key []byte, text string) []byte {
	mac := hmac.New(c.hash, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
