using System.Text;

namespace CcmFhir.Validation.Tests;

/// <summary>Documents that are made to break a reader: each gets an answer that says what is wrong and where, in memory that grows with the
/// document at most.</summary>
public sealed class HostileInputTest
{
    public static TheoryData<string, int, int, byte[]> Unreadable =>
        new()
        {
            { "json-comment", 1, 28, Utf8("""{"resourceType":"Patient", /* a */ "active":true}""") },
            { "json-comment", 2, 1, Utf8("{\"resourceType\":\"Patient\",\n// a\n\"active\":true}") },
            { "json-syntax", 1, 27, Utf8("""{"resourceType":"Patient",}""") },
            { "json-syntax", 1, 27, Utf8("""{"resourceType":"Patient"}{}""") },
            { "json-syntax", 1, 1, [] },
            { "json-syntax", 1, 2, Utf8("{'resourceType':'Patient'}") },
            { "json-syntax", 1, 11, Utf8("{\"active\":01}") },
            { "json-syntax", 1, 11, Utf8("{\"active\":NaN}") },
            { "json-encoding", 1, 34, [.. Utf8("""{"resourceType":"Patient","id":"a"""), 0xFF, .. Utf8("\"}")] },
            // An overlong slash, half a pair of surrogates as bytes, a character cut off.
            { "json-encoding", 1, 2, [(byte)'"', 0xC0, 0xAF, (byte)'"'] },
            { "json-encoding", 1, 2, [(byte)'"', 0xED, 0xA0, 0x80, (byte)'"'] },
            { "json-encoding", 1, 2, [(byte)'"', 0xE2, 0x82] },
            { "json-encoding", 1, 1, [0xFF, 0xFE, .. Encoding.Unicode.GetBytes("{}")] },
            { "json-encoding", 1, 1, [0xFE, 0xFF, .. Encoding.BigEndianUnicode.GetBytes("{}")] },
            { "json-encoding", 1, 1, Encoding.Unicode.GetBytes("{}") },
            { "json-encoding", 1, 1, Encoding.UTF32.GetBytes("{}") },
            { "json-surrogate", 1, 32, Utf8("""{"resourceType":"Patient","id":"\ud800"}""") },
            { "json-surrogate", 1, 32, Utf8("""{"resourceType":"Patient","id":"\udc00\ud800"}""") },
            { "json-surrogate", 1, 27, Utf8("""{"resourceType":"Patient","\ud83d":"a"}""") },
            { "json-depth", 1, 65, Utf8(new string('[', 10_000)) },
            { "json-depth", 1, 65, Utf8(new string('[', 10_000) + new string(']', 10_000)) },
            { "json-depth", 1, 321, Utf8(string.Concat(Enumerable.Repeat("{\"a\":", 10_000))) },
        };

    [Theory]
    [MemberData(nameof(Unreadable))]
    public void What_is_not_JSON_is_refused_at_its_place(string rule, int line, int column, byte[] document)
    {
        var issue = ProfileSet.Default.Validate(document).Issues.ShouldHaveSingleItem();

        (issue.Rule, issue.Line, issue.Column).ShouldBe((rule, line, column));
        issue.Severity.ShouldBe(Severity.Fatal);
        issue.Text.ShouldEndWith(".");
    }

    public static TheoryData<string, string, string> UnreadableXml =>
        new()
        {
            { "xml-dtd", "DTD", "<!DOCTYPE Patient><Patient xmlns=\"http://hl7.org/fhir\"/>" },
            {
                "xml-dtd",
                "DTD",
                "<!DOCTYPE p [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]>"
                    + "<Patient xmlns=\"http://hl7.org/fhir\"><id value=\"&c;\"/></Patient>"
            },
            {
                "xml-dtd",
                "DTD",
                "<!DOCTYPE p [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><Patient xmlns=\"http://hl7.org/fhir\"><id value=\"&x;\"/></Patient>"
            },
            { "xml-syntax", "entity", "<Patient xmlns=\"http://hl7.org/fhir\"><id value=\"&a;\"/></Patient>" },
            { "xml-syntax", "0xD800", "<Patient xmlns=\"http://hl7.org/fhir\"><id value=\"&#xD800;\"/></Patient>" },
            { "xml-syntax", "", "<Patient xmlns=\"http://hl7.org/fhir\"><id value=\"a\" value=\"b\"/></Patient>" },
            { "xml-syntax", "", "<Patient xmlns=\"http://hl7.org/fhir\">" },
            { "xml-syntax", "", "<Patient xmlns=\"http://hl7.org/fhir\"/><Patient/>" },
            {
                "xml-syntax",
                "",
                "<?xml version=\"1.0\" encoding=\"nonsense\"?><Patient xmlns=\"http://hl7.org/fhir\"/>"
            },
            { "xml-namespace", "xmlns", "<Patient/>" },
            {
                "xml-depth",
                "64 levels",
                "<Patient xmlns=\"http://hl7.org/fhir\">" + string.Concat(Enumerable.Repeat("<extension>", 10_000))
            },
        };

    [Theory]
    [MemberData(nameof(UnreadableXml))]
    public void What_is_not_XML_that_is_read_is_refused(string rule, string word, string document)
    {
        FhirXml.Parse(Utf8(document), out var fault).ShouldBeNull();

        fault.ShouldNotBeNull().Rule.ShouldBe(rule);
        fault.Text.ShouldContain(word);
        fault.Line.ShouldBe(1);
    }

    [Fact]
    public void Bytes_that_are_not_what_the_XML_says_are_refused()
    {
        FhirXml.Parse(new byte[] { (byte)'<', (byte)'a', 0xFF, (byte)'/', (byte)'>' }, out var fault).ShouldBeNull();

        fault!.Rule.ShouldBe("xml-syntax");
    }

    [Fact]
    public void A_byte_order_mark_is_no_part_of_the_document()
    {
        byte[] document = [0xEF, 0xBB, 0xBF, .. Utf8("""{"resourceType":"Patient","gender":"x"}""")];

        var issue = Errors(ProfileSet.Default.Validate(document)).ShouldHaveSingleItem();

        (issue.Line, issue.Column).ShouldBe((1, 36));
    }

    public static TheoryData<string, string, string> Twice =>
        new()
        {
            { "property-duplicate", "Patient.id", """{"resourceType":"Patient","id":"a","id":"a"}""" },
            { "property-duplicate", "Patient.resourceType", """{"resourceType":"Patient","resourceType":"Task"}""" },
            {
                "property-duplicate",
                "Patient.gender",
                """{"resourceType":"Patient","gender":"male","g\u0065nder":"female"}"""
            },
            {
                "property-duplicate",
                "Patient.birthDate",
                """{"resourceType":"Patient","_birthDate":{"extension":[{"url":"http://a.org","valueCode":"a"}]},"_birthDate":{"extension":[{"url":"http://a.org","valueCode":"a"}]}}"""
            },
            {
                "property-duplicate",
                "Patient.name[0].period.start",
                """{"resourceType":"Patient","name":[{"period":{"start":"2020","start":"2021"}}]}"""
            },
            {
                "property-duplicate",
                "Patient.extension[0].url",
                """{"resourceType":"Patient","extension":[{"url":"http://a.org","url":"http://b.org","valueCode":"a"}]}"""
            },
        };

    [Theory]
    [MemberData(nameof(Twice))]
    public void A_property_that_stands_twice_is_named(string rule, string expression, string json)
    {
        var issue = Errors(ProfileSet.Default.Validate(Utf8(json))).ShouldHaveSingleItem();

        (issue.Rule, issue.Expression).ShouldBe((rule, expression));
        issue.Text.ShouldContain("once");
    }

    [Theory]
    [InlineData("""{"resource":{"resourceType":"Patient"}}""")]
    [InlineData("""[{"resource":{"resourceType":"Patient"}}]""")]
    [InlineData("""{"entry":[{"resource":{"resourceType":"Patient"}}]}""")]
    [InlineData("""{"contained":[{"resourceType":"Patient"}]}""")]
    [InlineData(
        """{"resourceType":"Patient","resource":{"resourceType":"Patient","managingOrganization":{"reference":"#a"}}}"""
    )]
    [InlineData(
        """{"resource":{"resourceType":"Patient","managingOrganization":{"reference":"Organization/1"}},"resourceType":"Patient","link":[{"type":"refer","other":{"reference":"Patient/1"}}]}"""
    )]
    public void A_resource_where_none_belongs_is_an_error_like_any_other(string json) =>
        ProfileSet.Default.Validate(Utf8(json)).IsValid.ShouldBeFalse();

    [Fact]
    public void A_name_may_be_written_with_escapes() =>
        ProfileSet
            .Default.Validate(Utf8("""{"resourc\u0065Type":"Patient","m\u0065ta":{"profile":["http://a.org/p"]}}"""))
            .Issues.Select(issue => issue.Rule)
            .ShouldBe(["dom-6", "profile-unknown"], ignoreOrder: true);

    [Theory]
    [InlineData("decimal", "1e999999999")]
    [InlineData("decimal", "-1e-999999999")]
    [InlineData("decimal", "1e99999999999999999999")]
    [InlineData("decimal", "million")]
    [InlineData("integer", "million")]
    [InlineData("integer", "99999999999")]
    [InlineData("integer", "-0")]
    public void A_number_that_no_reader_keeps_is_named(string type, string number)
    {
        number = number == "million" ? new string('9', 1_000_000) : number;
        var document = Utf8(
            type == "decimal"
                ? $$"""{"resourceType":"Observation","status":"final","code":{"text":"a"},"valueRange":{"high":{"value":{{number}}, "unit":"a"}, "low":{"value":1} } }"""
                : $$$"""{"resourceType":"Observation","status":"final","code":{"text":"a"},"valueInteger":{{{number}}}}"""
        );

        var (report, allocated) = Measured(() => ProfileSet.Default.Validate(document));

        var issue = Errors(report).ShouldHaveSingleItem();
        issue.Rule.ShouldBe("primitive-format");
        issue.Expression.ShouldBe(type == "decimal" ? "Observation.value.high.value" : "Observation.value");
        issue.Text.Length.ShouldBeLessThan(300);
        allocated.ShouldBeLessThan(1_000_000 + (10 * document.Length));
    }

    [Fact]
    public void A_bound_is_held_against_a_number_of_any_size()
    {
        var profiles = TestProfile.Of(
            """{"id":"Observation.value[x]","path":"Observation.value[x]","type":[{"code":"Quantity"}],"maxValueQuantity":{"value":10}}""",
            "Observation"
        );

        foreach (var number in new[] { "1e999999999", new string('9', 1_000_000), "1" + new string('0', 99) })
        {
            var document = Utf8(
                $$"""{"resourceType":"Observation","status":"final","code":{"text":"a"},"valueQuantity":{"value":{{number}}, "unit":"a" } }"""
            );
            var (report, allocated) = Measured(() => profiles.Validate(document, [TestProfile.Url]));

            Errors(report).ShouldNotBeEmpty();
            Errors(report).ShouldAllBe(issue => issue.Expression == "Observation.value.value");
            Errors(report).ShouldAllBe(issue => issue.Text.Length < 300);
            allocated.ShouldBeLessThan(1_000_000 + (20 * document.Length));
        }
    }

    [Fact]
    public void More_bytes_than_are_read_are_refused_unread()
    {
        var document = new byte[200 * 1024 * 1024];

        var (report, allocated) = Measured(() => ProfileSet.Default.Validate(document));
        var (fault, allocatedForXml) = Measured(() => FhirXml.Parse(document, out var found) is null ? found : null);

        report.Issues.ShouldHaveSingleItem().Rule.ShouldBe("json-size");
        report.Issues[0].Text.ShouldContain("at most 104857600");
        fault.ShouldNotBeNull().Rule.ShouldBe("xml-size");
        (allocated + allocatedForXml).ShouldBeLessThan(100_000);
    }

    [Fact]
    public void More_values_than_are_read_are_refused()
    {
        var limits = new FhirJsonLimits(MaxNodes: 1000);

        ProfileSet
            .Default.Validate(Utf8($"[{string.Join(',', Enumerable.Repeat("1", 1000))}]"), null, limits)
            .Issues.ShouldHaveSingleItem()
            .Rule.ShouldBe("json-size");
        FhirXml
            .Parse(
                Utf8(
                    $"<Patient xmlns=\"http://hl7.org/fhir\">{string.Concat(Enumerable.Repeat("<a/>", 1000))}</Patient>"
                ),
                out var fault,
                limits
            )
            .ShouldBeNull();
        fault!.Rule.ShouldBe("xml-size");
    }

    public static TheoryData<string, string> Narratives =>
        new()
        {
            {
                "entities",
                "<!DOCTYPE div [<!ENTITY a \"aa\"><!ENTITY b \"&a;&a;\">]><div xmlns=\"http://www.w3.org/1999/xhtml\">&b;</div>"
            },
            { "no character of XML", "<div xmlns=\"http://www.w3.org/1999/xhtml\">&#1;</div>" },
            { "half a character", "<div xmlns=\"http://www.w3.org/1999/xhtml\">&#xD800;</div>" },
            { "entity that nobody knows", "<div xmlns=\"http://www.w3.org/1999/xhtml\">&lol;</div>" },
            {
                "depth",
                $"<div xmlns=\"http://www.w3.org/1999/xhtml\">{string.Concat(Enumerable.Repeat("<p>", 10_000))}a{string.Concat(Enumerable.Repeat("</p>", 10_000))}</div>"
            },
            {
                "not closed",
                $"<div xmlns=\"http://www.w3.org/1999/xhtml\">{string.Concat(Enumerable.Repeat("<b>", 100_000))}"
            },
            {
                "attributes",
                $"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p {string.Concat(Enumerable.Range(0, 50_000).Select(at => $"a{at}='' "))}>a</p></div>"
            },
            { "a tag without end", "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p " + new string(' ', 500_000) },
        };

    [Theory]
    [MemberData(nameof(Narratives))]
    public void A_narrative_that_would_blow_up_is_refused(string kind, string div)
    {
        kind.ShouldNotBeEmpty();
        var document = Utf8(
            $$"""{"resourceType":"Patient","text":{"status":"generated","div":{{System.Text.Json.JsonSerializer.Serialize(div)}} } }"""
        );

        var (report, allocated) = Measured(() => ProfileSet.Default.Validate(document));

        var issue = Errors(report).ShouldHaveSingleItem();
        (issue.Rule, issue.Expression).ShouldBe(("txt-1", "Patient.text.div"));
        issue.Text.Length.ShouldBeLessThan(300);
        allocated.ShouldBeLessThan(1_000_000 + (10 * document.Length));
    }

    [Theory]
    [InlineData(190, null)]
    [InlineData(10_000, "xml-depth")]
    public void A_narrative_in_XML_is_held_to_the_same(int depth, string? rule)
    {
        var xml = Utf8(
            $"<Patient xmlns=\"http://hl7.org/fhir\"><text><status value=\"generated\"/><div xmlns=\"http://www.w3.org/1999/xhtml\">{string.Concat(Enumerable.Repeat("<i>", depth))}a{string.Concat(Enumerable.Repeat("</i>", depth))}</div></text></Patient>"
        );

        var (read, allocated) = Measured(() => (Document: FhirXml.Parse(xml, out var fault), Fault: fault));

        read.Fault?.Rule.ShouldBe(rule);
        (read.Document is null).ShouldBe(rule is not null);
        if (read.Document is not null)
        {
            Errors(ProfileSet.Default.Validate(read.Document)).ShouldBeEmpty();
        }
        allocated.ShouldBeLessThan(1_000_000 + (10 * xml.Length));
    }

    public static TheoryData<string, string> Patterns =>
        new()
        {
            // In linear time by an engine that does not go back; the second needs one that does.
            { "(a+)+$", "error" },
            { @"^(?=a)(a+)+$", "not checked" },
            { @"^(a|aa)+\1$", "not checked" },
        };

    [Theory]
    [MemberData(nameof(Patterns))]
    public void A_regular_expression_that_goes_back_for_ever_is_given_up(string pattern, string outcome)
    {
        var document = Utf8($$"""{"resourceType":"Patient","name":[{"text":"{{new string('a', 60)}}!"}]}""");
        var inInvariant = TestProfile.Of(
            $$"""{"id":"Patient.name","path":"Patient.name","constraint":[{"key":"x-1","severity":"error","human":"a","expression":"text.matches('{{pattern.Replace(@"\", @"\\\\", StringComparison.Ordinal)}}')"}]}"""
        );
        var onPrimitive = TestProfile.Of(
            $$"""{"id":"Patient.name.text","path":"Patient.name.text","type":[{"code":"string","extension":[{"url":"http://hl7.org/fhir/StructureDefinition/regex","valueString":"{{pattern.Replace(@"\", @"\\", StringComparison.Ordinal)}}"}]}]}"""
        );

        foreach (var (profiles, rule) in new[] { (inInvariant, "x-1"), (onPrimitive, "regex") })
        {
            var report = profiles.Validate(document, [TestProfile.Url]);

            if (outcome == "error")
            {
                Errors(report).ShouldHaveSingleItem().Rule.ShouldBe(rule);
            }
            else
            {
                Errors(report).ShouldBeEmpty();
                report.NotChecked.ShouldHaveSingleItem().ShouldContain("takes too long");
                report.NotChecked[0].ShouldStartWith($"Rule {rule} at Patient.name[0]");
            }
        }
    }

    [Fact]
    public void Replacing_what_has_all_of_the_rest_looked_at_for_each_match_is_given_up()
    {
        var document = Utf8($$"""{"resourceType":"Patient","name":[{"text":"{{new string('a', 100_000)}}"}]}""");
        var profiles = TestProfile.Of(
            """{"id":"Patient.name","path":"Patient.name","constraint":[{"key":"x-1","severity":"error","human":"a","expression":"text.replaceMatches('a.*b|a', 'c').exists()"}]}"""
        );

        Errors(profiles.Validate(document, [TestProfile.Url])).ShouldHaveSingleItem().Rule.ShouldBe("too-costly");
    }

    [Fact]
    public void Patience_with_regular_expressions_is_limited_for_all_of_a_document()
    {
        var names = Enumerable.Repeat($$"""{"text":"{{new string('a', 60)}}!"}""", 500);
        var document = Utf8($$"""{"resourceType":"Patient","name":[ {{string.Join(',', names)}}]}""");
        var profiles = TestProfile.Of(
            """{"id":"Patient.name","path":"Patient.name","constraint":[{"key":"x-1","severity":"error","human":"a","expression":"text.matches('^(?=a)(a+)+$')"}]}"""
        );

        var report = profiles.Validate(document, [TestProfile.Url]);

        // At 250 ms each, 500 of them would take two minutes.
        report.NotChecked.Count.ShouldBeLessThan(10);
        Errors(report).ShouldHaveSingleItem().Rule.ShouldBe("too-costly");
    }

    [Theory]
    [InlineData("name.aggregate($total & $total, 'aaaaaaaaaa').exists()")]
    [InlineData("name.aggregate($total + $total, 'aaaaaaaaaa').exists()")]
    [InlineData("name.aggregate($total.replace('a', 'aaaaaaaaaa'), 'a').exists()")]
    [InlineData("name.aggregate($total.replace('', 'aaaaaaaaaa'), 'a').exists()")]
    [InlineData("name.aggregate($total.replaceMatches('a', 'aaaaaaaaaa'), 'a').exists()")]
    [InlineData("name.aggregate($total.replaceMatches('a', '$_$_'), 'aaaaaaaaaa').exists()")]
    [InlineData("name.aggregate($total.combine($total), 1).exists()")]
    [InlineData(
        "name.select($this.combine(%resource.name).select($this.combine(%resource.name).select($this.combine(%resource.name).select(%resource.name)))).exists()"
    )]
    [InlineData("name.repeat(%resource.name.combine(%resource.descendants())).exists()")]
    public void An_expression_that_makes_more_than_any_memory_holds_is_given_up(string expression)
    {
        var names = Enumerable.Range(0, 100).Select(at => $$"""{"text":"{{at}}"}""");
        var document = Utf8($$"""{"resourceType":"Patient","name":[ {{string.Join(',', names)}}]}""");
        var profiles = TestProfile.Of(
            $$"""{"id":"Patient","path":"Patient","constraint":[{"key":"x-1","severity":"error","human":"a","expression":"{{expression}}"}]}"""
        );

        var (report, allocated) = Measured(() => profiles.Validate(document, [TestProfile.Url]));

        Errors(report).ShouldAllBe(issue => issue.Rule == "too-costly");
        allocated.ShouldBeLessThan(2_000_000_000);
    }

    private static IReadOnlyList<Issue> Errors(Report report) =>
        [.. report.Issues.Where(issue => issue.Severity <= Severity.Error)];

    /// <summary>What it gives and the bytes that it allocated, once what is made only once is made.</summary>
    private static (T Result, long Allocated) Measured<T>(Func<T> run)
    {
        _ = run();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var result = run();
        return (result, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
