package feeds

// confusable lists, for each ASCII letter, letters of other scripts and accented
// letters that are read as it (after Unicode TR 39; the ones that occur in the names
// of registries). Characters in none of the lists become '?', which is in no brand.
var confusable = [...]struct {
	ascii byte
	like  string
}{
	{'a', "àáâãäåāăąǎạảấầẩẫậắằẳẵặɑαаӑӓάἀἁ"},
	{'b', "ƀɓḃḅЬьвβ"},
	{'c', "çćĉċčƈсϲᴄ"},
	{'d', "ďđḍḏɗԁժ"},
	{'e', "èéêëēĕėęěẹẻẽếềểễệеёѐєҽεέ"},
	{'f', "ƒḟſ"},
	{'g', "ĝğġģǧǵɡցԍ"},
	{'h', "ĥħḥḧհһнћ"},
	{'i', "ìíîïĩīĭįıǐỉịіїӏιίɩɪ"},
	{'j', "ĵǰјϳ"},
	{'k', "ķĸǩḱḳḵкκқҝҟҡ"},
	{'l', "ĺļľŀłḷḹḻɭӏ"},
	{'m', "ḿṁṃмɱ"},
	{'n', "ñńņňǹṅṇṉηпռո"},
	{'o', "òóôõöøōŏőơǒọỏốồổỗộớờởỡợοоօόӧ"},
	{'p', "ṕṗрρƥ"},
	{'q', "ԛգɋ"},
	{'r', "ŕŗřṙṛṝгɍᴦ"},
	{'s', "śŝşšșṡṣѕʂ"},
	{'t', "ţťŧțṫṭṯтτ"},
	{'u', "ùúûüũūŭůűųưǔụủứừửữựυսцύ"},
	{'v', "ṽṿνѵ"},
	{'w', "ŵẁẃẅẇẉẘωԝѡш"},
	{'x', "ẋẍхχҳ"},
	{'y', "ýÿŷỳỵỷỹуγүўɏ"},
	{'z', "źżžƶẑẓẕᴢ"},
}

// skeletons maps each character of the lists to the ASCII letter it is read as.
func skeletons() map[rune]byte {
	m := make(map[rune]byte)
	for _, c := range confusable {
		for _, r := range c.like {
			if _, known := m[r]; !known {
				m[r] = c.ascii
			}
		}
	}
	return m
}

// skeleton returns the ASCII character r is read as, '?' if there is none.
func (l *lookalikes) skeleton(r rune) byte {
	if r < 0x80 {
		return byte(r)
	}
	if c, ok := l.letters[r]; ok {
		return c
	}
	return '?'
}
