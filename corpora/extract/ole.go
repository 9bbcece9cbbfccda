package extract

import (
	"bytes"
	"context"
	"fmt"
)

// refuseOLE says what to do with office documents that are not in XML.
func refuseOLE(_ context.Context, in Input) (Text, error) {
	var wide []byte
	for _, c := range []byte("EncryptedPackage") {
		wide = append(wide, c, 0)
	}
	if bytes.Contains(in.Data, wide) {
		return Text{}, ErrLocked
	}
	return Text{}, fmt.Errorf("%w: an office document from before 2007, or an Outlook message: save it as DOCX, XLSX, PPTX or EML", ErrUnsupported)
}
